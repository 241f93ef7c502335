package dev.coppice.proxy.cancel;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.route.ComputeSocket;
import java.util.function.Consumer;

/** What a cancel key stands for. */
public sealed interface CancelTarget {

    /**
     * A backend of a compute.
     *
     * @param socket of the compute
     * @param key the one the compute gave
     */
    record Backend(ComputeSocket socket, CancelKey key) implements CancelTarget {}

    /**
     * A client of a pooled endpoint, which has no backend of its own.
     *
     * @param cancel stops whatever it is doing or waiting for, and runs what it is given when that has been told; may be called on any
     *     thread, and answers on any
     */
    record PooledClient(Consumer<Runnable> cancel) implements CancelTarget {}
}
