"""Which call runs when: drafts, the scheduler, and what carries a plan out."""
