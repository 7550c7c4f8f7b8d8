"""Accounting of disclosures: 45 CFR 164.528, of one organization, six years back where nothing else is asked for.

The rule asks for date, recipient with address, description and purpose of each disclosure, first and last date with a
count for repeated ones (164.528(b)(3)), and allows a summary for research with 50 or more people (164.528(b)(4)).

No record of a person leaves a site in this system. Whether a masked update is a disclosure is a person's judgement;
until somebody judges otherwise it is listed as a use. Nothing here is ever moved into the table of disclosures.
"""

from audit.compliance.hipaa_164_528 import disclosures, platform, uses
from audit.compliance.hipaa_164_528.common import NAME as NAME

PARTS = (disclosures.disclosures, uses.uses, platform.platform)
