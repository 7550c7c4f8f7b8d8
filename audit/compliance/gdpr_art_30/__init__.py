"""Records of processing activities: Regulation (EU) 2016/679, Art. 30(1)(a) to (g), of the exporting organization.

Each letter of the article is a part. What is processed for which purpose follows from plans and data sets; names of
representatives, reasons for a transfer and what else only a person knows stays empty and says so.
"""

from audit.compliance.gdpr_art_30 import processing, protecting, sharing
from audit.compliance.gdpr_art_30.common import NAME as NAME

PARTS = (
    processing.controller,
    processing.purposes,
    processing.categories,
    sharing.recipients,
    sharing.transfers,
    protecting.retention,
    protecting.measures,
)
