package dev.coppice.proxy.http;

import static io.netty.handler.codec.http.HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS;
import static io.netty.handler.codec.http.HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS;
import static io.netty.handler.codec.http.HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN;
import static io.netty.handler.codec.http.HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS;
import static io.netty.handler.codec.http.HttpHeaderNames.ACCESS_CONTROL_MAX_AGE;
import static io.netty.handler.codec.http.HttpHeaderNames.CACHE_CONTROL;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_LENGTH;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_TYPE;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.request.BatchOptions;
import dev.coppice.proxy.pgwire.PgError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;

/**
 * Responses, as a browser's script of any origin may read them: the connection string is the secret, and no cookie counts.
 */
final class HttpReply {
    static final String REQUEST_ID = "neon-request-id";
    static final String CONNECTION_STRING = "Neon-Connection-String";
    static final String RAW_TEXT_OUTPUT = "Neon-Raw-Text-Output";
    static final String ARRAY_MODE = "Neon-Array-Mode";
    private static final String POOL_OPT_IN = "Neon-Pool-Opt-In";
    private static final String ANY = "*";
    private static final int PREFLIGHT_SECONDS = 86_400;
    private static final String ALLOWED_HEADERS = String.join(
            ", ",
            CONNECTION_STRING,
            RAW_TEXT_OUTPUT,
            ARRAY_MODE,
            POOL_OPT_IN,
            BatchOptions.ISOLATION_LEVEL,
            BatchOptions.READ_ONLY,
            BatchOptions.DEFERRABLE,
            "Authorization",
            "Content-Type");

    static final PgError NO_MEMORY = PgError.of(
            SqlState.OUT_OF_MEMORY,
            "the requests under way hold as much memory as they may",
            "Try again, with smaller requests and results.");

    private HttpReply() {}

    /** With a JSON body, which it owns from here on. */
    static FullHttpResponse json(HttpResponseStatus status, ByteBuf body) {
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
        response.headers()
                .set(CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
                .setInt(CONTENT_LENGTH, body.readableBytes())
                .set(CACHE_CONTROL, HttpHeaderValues.NO_STORE)
                .set(ACCESS_CONTROL_ALLOW_ORIGIN, ANY)
                .set(ACCESS_CONTROL_EXPOSE_HEADERS, REQUEST_ID);
        return response;
    }

    /** The answer to a browser that asks what it may send. */
    static FullHttpResponse preflight() {
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT, Unpooled.EMPTY_BUFFER);
        response.headers()
                .set(ACCESS_CONTROL_ALLOW_ORIGIN, ANY)
                .set(ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS")
                .set(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS)
                .setInt(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
        return response;
    }

    /** To one who waits with the body until he is told to send it. */
    static FullHttpResponse goOn() {
        return new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER);
    }
}
