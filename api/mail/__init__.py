"""E-mail to whoever ordered: one for each end of an order, over SMTP, from templates; off unless a server is named."""
