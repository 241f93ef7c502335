package dev.coppice.proxy.pgwire;

import java.util.Arrays;
import java.util.Map;

/** What a client may send before its session becomes a relay. All of it is plain heap data: nothing to release. */
public sealed interface ClientMessage {

    /** SSLRequest: asks for TLS; answered by one byte, {@code S} or {@code N}. */
    record SslRequest() implements ClientMessage {}

    /** GSSENCRequest: asks for GSSAPI encryption; answered by {@code N}. */
    record GssRequest() implements ClientMessage {}

    /** CancelRequest: stop what the session holding this key is doing. Never answered. */
    record CancelRequest(CancelKey key) implements ClientMessage {}

    /**
     * StartupMessage.
     *
     * @param parameters in the order sent, including protocol options ({@code _pq_.*})
     */
    record Startup(ProtocolVersion version, Map<String, String> parameters) implements ClientMessage {}

    /** SASLInitialResponse or SASLResponse, whichever the exchange is at: the body of a {@code p} message. */
    final class AuthenticationResponse implements ClientMessage {
        private final byte[] body;

        public AuthenticationResponse(byte[] body) {
            this.body = body.clone();
        }

        public byte[] body() {
            return body.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof AuthenticationResponse response && Arrays.equals(body, response.body);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(body);
        }

        @Override
        public String toString() {
            return "AuthenticationResponse[" + body.length + " bytes]";
        }
    }

    /** Terminate: the client takes its leave. */
    record Terminate() implements ClientMessage {}

    /** Bytes that are none of the above; nothing after them is read. */
    record Malformed(PgError error) implements ClientMessage {}
}
