"""Types of what the doors of several nouns take: numbers that Iran's registers and banks give."""

from typing import Annotated

from pydantic import AfterValidator

from contracts import iran

NationalId = Annotated[str, AfterValidator(iran.clean_national_id)]
LegalId = Annotated[str, AfterValidator(iran.clean_legal_id)]
Sheba = Annotated[str, AfterValidator(iran.clean_sheba)]
PostalCode = Annotated[str, AfterValidator(iran.clean_postal_code)]
Mobile = Annotated[str, AfterValidator(iran.clean_mobile)]
