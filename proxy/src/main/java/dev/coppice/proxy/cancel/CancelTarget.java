package dev.coppice.proxy.cancel;

import dev.coppice.proxy.pgwire.CancelKey;
import java.nio.file.Path;

/**
 * @param socket the Unix socket of the compute
 * @param key the one the compute gave
 */
public record CancelTarget(Path socket, CancelKey key) {}
