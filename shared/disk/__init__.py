"""The one seam to the disk: every durable change that halfreal makes goes through here."""
