"""Networks that write: the baselines that every template and every grounded report is measured against."""
