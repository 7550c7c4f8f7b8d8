"""What the parts of the accounting share: the rule, and the sources of its rows."""

NAME = "hipaa_164_528"
REGULATION = "45 CFR 164.528, with 164.512(i) and 164.501"
RECORDS = "records.jsonl"
PLANS = "plans on the platform, by the digests that the members voted on"
