"""What changed for users from an earlier release to the one that is verified, as installers see both."""
