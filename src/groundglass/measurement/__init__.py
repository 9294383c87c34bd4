"""Numbers from masks: lesions, organs, vessels, radiographic indices, brain."""
