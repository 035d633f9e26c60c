"""COM, customer order management: TMF622 product orders."""
