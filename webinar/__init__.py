"""Webinar and CME session scheduler with recording windows."""
