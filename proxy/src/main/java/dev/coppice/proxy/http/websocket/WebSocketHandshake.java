package dev.coppice.proxy.http.websocket;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.coppice.proxy.http.request.BadRequestException;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** The opening handshake of a WebSocket (RFC 6455, section 4.2), without subprotocols or extensions. */
public final class WebSocketHandshake {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final String VERSION = "13";
    private static final int KEY_BYTES = 16;

    private WebSocketHandshake() {}

    public static boolean asked(HttpRequest request) {
        return request.method().equals(HttpMethod.GET)
                && request.headers().containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
    }

    /** @throws BadRequestException when it is another version, or no handshake at all */
    public static FullHttpResponse accept(HttpRequest request) {
        String key =
                request.headers().get(HttpHeaderNames.SEC_WEBSOCKET_KEY, "").strip();
        if (!VERSION.equals(request.headers().get(HttpHeaderNames.SEC_WEBSOCKET_VERSION)) || !isKey(key)) {
            throw new BadRequestException("the request is not a handshake of a WebSocket of version 13");
        }
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
        response.headers()
                .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                .set(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT, proof(key));
        return response;
    }

    private static boolean isKey(String text) {
        try {
            return Base64.getDecoder().decode(text).length == KEY_BYTES;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    private static String proof(String key) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(US_ASCII));
            return Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }

    /** The host that the client means to connect to: of the parameter {@code address=host:port}, else the Host header. */
    public static Optional<String> host(HttpRequest request) {
        List<String> address =
                new QueryStringDecoder(request.uri()).parameters().getOrDefault("address", List.of());
        String named = address.isEmpty() ? request.headers().get(HttpHeaderNames.HOST, "") : address.getFirst();
        int colon = named.lastIndexOf(':');
        String host = colon >= 0 && named.indexOf(']', colon) < 0 ? named.substring(0, colon) : named;
        return host.isEmpty() ? Optional.empty() : Optional.of(host);
    }
}
