"""Uses of library names that are not public: one module for each library.

``SEEN`` names the oldest and the newest version in which they were looked at.
Every function here has a plain name, says why the library's public interface does not do, and touches nothing else.
``tests/unit/compat`` notices when one of the names moves, and a law keeps private names of libraries out of the rest.
"""
