"""Links that someone else put where the user's output was to be."""

import stat
from os import stat_result


def is_planted(link: stat_result, folder: stat_result, user_id: int) -> bool:
    """Whether a link may be a trap: in a folder like /tmp, made by neither the user nor the folder's owner.

    Source: Linux's sysctl `fs.protected_symlinks`, which not every system has on.

    Args:
        link: what `lstat` says of the file.
        folder: what `stat` says of the folder that it is in.
        user_id: who runs the program (`geteuid`).
    """
    shared = stat.S_ISVTX | stat.S_IWOTH
    return (
        stat.S_ISLNK(link.st_mode) and folder.st_mode & shared == shared and link.st_uid not in (user_id, folder.st_uid)
    )
