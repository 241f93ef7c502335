package dev.coppice.proxy.pgwire;

import io.netty.buffer.ByteBuf;
import java.util.List;

/**
 * What a compute sends while we log in to it. {@link Passed} and {@link Refused} hold a buffer: whoever receives the
 * message releases it.
 */
public sealed interface ComputeMessage {

    /** AuthenticationOk. */
    record AuthenticationOk() implements ComputeMessage {}

    /** AuthenticationSASL with the mechanisms offered. */
    record SaslMechanisms(List<String> mechanisms) implements ComputeMessage {}

    /** AuthenticationSASLContinue. */
    record SaslContinue(String data) implements ComputeMessage {}

    /** AuthenticationSASLFinal. */
    record SaslFinal(String data) implements ComputeMessage {}

    /** An authentication request that we never answer, by its code. */
    record UnsupportedAuthentication(int code) implements ComputeMessage {}

    /** BackendKeyData. */
    record BackendKeyData(CancelKey key) implements ComputeMessage {}

    /** ReadyForQuery: the session has begun. */
    record ReadyForQuery(byte transactionStatus) implements ComputeMessage {}

    /** ErrorResponse, whole with its header, for the client to read, and its SQLSTATE for us. */
    record Refused(String sqlState, ByteBuf frame) implements ComputeMessage {}

    /** ParameterStatus, NoticeResponse or anything else that is the client's: the whole message with its header. */
    record Passed(ByteBuf frame) implements ComputeMessage {}

    /** A compute that does not speak the protocol, or not within our limits. */
    record Malformed(String problem) implements ComputeMessage {}
}
