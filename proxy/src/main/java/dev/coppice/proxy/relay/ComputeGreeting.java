package dev.coppice.proxy.relay;

import dev.coppice.proxy.pgwire.CancelKey;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/**
 * What a compute said between accepting the login and its first ReadyForQuery.
 *
 * @param passed ParameterStatus and notices, for the client as they are; the receiver releases it
 * @param cancelKey absent from servers that cannot cancel
 * @param transactionStatus of the ReadyForQuery
 */
public record ComputeGreeting(ByteBuf passed, Optional<CancelKey> cancelKey, byte transactionStatus) {}
