"""What a person does with the local account itself: look into a step, ask for the cache's reasons, make room."""
