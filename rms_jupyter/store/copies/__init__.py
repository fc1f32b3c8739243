"""How does a store, or part of one, come to another place: a disk, a server, a colleague?"""
