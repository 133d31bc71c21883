"""HTTP doors of joining."""

from merchants.onboarding.api import applications as applications
from merchants.onboarding.api import documents as documents
