-- The application's own tables, which know nothing of Habeas, and one customer.
CREATE TABLE customers (
    id text PRIMARY KEY CHECK (id !~ '/'),
    name text,
    email text NOT NULL UNIQUE,
    phone text,
    joined_on date NOT NULL DEFAULT current_date
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers,
    product text NOT NULL,
    price numeric NOT NULL,
    ordered_on date NOT NULL DEFAULT current_date
);
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers,
    body text NOT NULL,
    sent_on date NOT NULL DEFAULT current_date
);
INSERT INTO customers (id, name, email, phone) VALUES ('s-1', 'Jane Doe', 'jane@example.com', '+15550000042');
INSERT INTO orders (customer_id, product, price) VALUES ('s-1', 'A red bicycle', 499.00), ('s-1', 'A bell', 9.50);
INSERT INTO messages (customer_id, body) VALUES ('s-1', 'When does the bell come?');
