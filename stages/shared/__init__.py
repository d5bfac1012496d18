"""What the stages share: one fact a module. None of these modules imports a stage."""
