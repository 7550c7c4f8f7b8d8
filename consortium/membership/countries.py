"""Countries by their codes: ISO 3166-1 alpha-2, the 249 that are officially assigned (edition of 2020)."""

from django.utils.translation import gettext as _

from consortium.kernel.errors import InvalidInputError

_WRITTEN = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
CODES = frozenset(_WRITTEN.split())


def country_code(text: object) -> str:
    """Return a country's code as it is kept, upper case; `InvalidInputError` for what is none."""
    code = text.strip().upper() if isinstance(text, str) else ""
    if code not in CODES:
        raise InvalidInputError(
            _("%(text)s is no country's code. Write the two letters of ISO 3166-1, such as DE or US.")
            % {"text": str(text)[:20] or _("Nothing")}
        )
    return code
