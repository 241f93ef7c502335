package dev.coppice.proxy.route;

import java.nio.file.Path;

/**
 * Where a compute listens, and who that is: a program in the compute could put a link to somebody else's socket in the place of its
 * own, so the kernel is asked before a byte is sent.
 *
 * @param path of the Unix socket
 * @param uid of the process that called listen(2)
 * @param pid of that process
 */
public record ComputeSocket(Path path, int uid, long pid) {}
