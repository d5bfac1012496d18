"""The stages that DVC runs: each reads its inputs, calls ``onepass``, and writes its outputs."""
