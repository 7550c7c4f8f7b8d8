"""Pages that gather what every app knows: the landing page, a member's page, the gallery of components."""
