package dev.coppice.compute;

import java.nio.file.Path;

/**
 * Where a running compute listens.
 *
 * @param socket its Unix socket, {@code <directory>/.s.PGSQL.5432}
 * @param directory the socket's directory, which libpq takes as host
 */
public record ComputeAddress(Path socket, Path directory) {}
