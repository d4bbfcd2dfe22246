"""What watches every tenant: rules, alerts, routing and dashboards, all from one file of numbers."""
