"""The verb `practice`: exercises, graded by proof."""
