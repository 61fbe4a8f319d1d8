-- table: product_revenue
-- grain: product_id
-- reads: product_revenue
-- question: Q-12
-- params: date_from, date_to
-- Which products earn the money? Revenue adds up over days.
SELECT
  CAST(product_id AS VARCHAR) AS product_id,                 -- product
  CAST(sum(total_revenue) AS DECIMAL(18,2)) AS total_revenue -- over the chosen days
FROM product_revenue
WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
GROUP BY product_id
ORDER BY total_revenue DESC, product_id
