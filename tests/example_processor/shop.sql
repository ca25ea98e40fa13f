-- The application's own tables, which know nothing of Habeas, and one customer.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL UNIQUE CHECK (customer_id !~ '/'),
    name text,
    email text NOT NULL,
    phone text,
    since date NOT NULL DEFAULT current_date
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers (customer_id),
    product text NOT NULL,
    price numeric NOT NULL,
    since date NOT NULL DEFAULT current_date
);
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers (customer_id),
    body text NOT NULL,
    since date NOT NULL DEFAULT current_date
);
INSERT INTO customers (customer_id, name, email, phone) VALUES ('s-1', 'Jane Doe', 'jane@example.com', '+15550000042');
INSERT INTO orders (customer_id, product, price) VALUES ('s-1', 'A red bicycle', 499.00), ('s-1', 'A bell', 9.50);
INSERT INTO messages (customer_id, body) VALUES ('s-1', 'When does the bell come?');
