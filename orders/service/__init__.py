"""SOM, service order management: TMF641 service orders."""
