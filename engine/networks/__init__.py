"""Networks, a file each (the CVSM encoder a room), their features, and the device they run on."""
