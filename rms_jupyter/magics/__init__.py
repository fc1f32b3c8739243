"""What do ``%rms`` and ``%%rms`` do in a notebook, and what does a session show there?"""
