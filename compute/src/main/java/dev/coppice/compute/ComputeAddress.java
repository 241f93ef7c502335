package dev.coppice.compute;

import java.nio.file.Path;

/**
 * Where a running compute listens.
 *
 * <p>A program in a compute can put a link to another socket of the machine in the place of its own. So whoever connects asks the
 * kernel who listens (SO_PEERCRED), and sends nothing when that is not {@link #peer}.
 *
 * @param socket its Unix socket, {@code <directory>/.s.PGSQL.5432}
 * @param directory the socket's directory, which libpq takes as host
 */
public record ComputeAddress(Path socket, Path directory, Peer peer) {
    /**
     * Who listens there, as SO_PEERCRED of a connected socket says it: the process that called listen(2), the postmaster.
     *
     * @param uid its effective user
     * @param pid its process
     */
    public record Peer(int uid, long pid) {}
}
