"""One outside thing each, translated into the domain's words."""
