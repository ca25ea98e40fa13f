-- The shop's side of its processor. What it holds on people: one row for each row of a table, with whose it is.
CREATE VIEW habeas AS
SELECT found.category, concat_ws('/', found.customer_id, found.category, found.id) AS ref, found.dated, found.data,
       found.customer_id, lower(customers.email) AS email
  FROM (
      SELECT 'customers' AS category, id, id AS customer_id, joined_on AS dated, to_jsonb(customers) AS data FROM customers
      UNION ALL
      SELECT 'orders', id::text, customer_id, ordered_on, to_jsonb(orders) FROM orders
      UNION ALL
      SELECT 'messages', id::text, customer_id, sent_on, to_jsonb(messages) FROM messages
  ) AS found
  JOIN customers ON customers.id = found.customer_id;

-- Erases these rows. A customer with a row that is not among them stays for now: who looks again finds both.
CREATE FUNCTION habeas_erase(refs text[]) RETURNS void LANGUAGE sql AS $$
    WITH gone_messages AS (DELETE FROM messages WHERE concat_ws('/', customer_id, 'messages', id) = ANY(refs)),
         gone_orders AS (DELETE FROM orders WHERE concat_ws('/', customer_id, 'orders', id) = ANY(refs))
    DELETE FROM customers
     WHERE concat_ws('/', id, 'customers', id) = ANY(refs)
       AND NOT EXISTS (SELECT FROM habeas WHERE customer_id = customers.id AND ref <> ALL(refs))
$$;

-- Writes new values of a customer's columns; those that are not named stay.
CREATE FUNCTION habeas_rectify(customer text, changes jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE customers
       SET (name, email, phone) = (SELECT name, email, phone FROM jsonb_populate_record(customers, changes))
     WHERE id = customer
$$;
