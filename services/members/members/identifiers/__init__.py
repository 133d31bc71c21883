"""Cards, mobiles, QR texts and partners' references, and whom they mean when."""
