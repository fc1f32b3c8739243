"""What can be asked for by name, in a notebook as ``%rms VERB`` and in a terminal as ``rms VERB``?

A verb is a module. Its ``parser()`` says how it is typed, and all help is made from that; its ``command(session,
options, namespace)`` does it, and returns what is to be shown. Rooms are imported when they are needed, so that a list
of all verbs costs little.
"""
