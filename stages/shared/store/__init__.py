"""The features: computed, stored, kept and checked."""
