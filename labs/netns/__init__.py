"""The netns runtime: every node a network namespace, real packets through Open vSwitch and a real FRR."""
