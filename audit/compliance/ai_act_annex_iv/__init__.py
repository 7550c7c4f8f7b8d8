"""Technical documentation of one model: Regulation (EU) 2024/1689 (AI Act), Annex IV, points 1 to 9.

A part for each point of the annex, in our own words. The dossier states what records say of the model; its intended
purpose, the argument about its risks and the declaration of conformity stay with people. High-risk duties apply later
(`Art. 113`, as amended); a dossier claims no conformity.
"""

from audit.compliance.ai_act_annex_iv import changes, control, description, development, life

NAME = "ai_act_annex_iv"
PARTS = (
    description.general,
    development.development,
    control.control,
    control.metrics,
    control.risks,
    changes.changes,
    life.standards,
    life.declaration,
    life.monitoring,
)
