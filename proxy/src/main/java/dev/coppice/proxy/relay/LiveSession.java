package dev.coppice.proxy.relay;

/** A client's session, however it is connected to its compute. The counts may be read on its event loop only. */
public interface LiveSession {
    long bytesFromClient();

    long bytesFromCompute();

    /** Ends it from our side, telling the client where that is possible; may be called on any thread. */
    void shutDown();

    /** Ends it as soon as no transaction is open: at once, or with the ReadyForQuery to come. On any thread. */
    void drain();
}
