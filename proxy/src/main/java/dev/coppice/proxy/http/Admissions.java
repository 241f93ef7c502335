package dev.coppice.proxy.http;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.request.BadRequestException;
import dev.coppice.proxy.http.request.ConnectionString;
import dev.coppice.proxy.http.request.SingleHeader;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the login out of a request's headers, and has it checked. */
final class Admissions {
    private static final Logger log = LoggerFactory.getLogger(Admissions.class);

    private Admissions() {}

    /** @throws BadRequestException when the headers hold no login that can be checked */
    static ConnectionString login(HttpHeaders headers) {
        if (headers.contains(HttpHeaderNames.AUTHORIZATION)) {
            throw new BadRequestException(
                    "tokens are not supported: log in with a password in the header " + HttpReply.CONNECTION_STRING);
        }
        String text = SingleHeader.get(headers, HttpReply.CONNECTION_STRING);
        if (text == null) {
            throw new BadRequestException("the header " + HttpReply.CONNECTION_STRING + " is missing");
        }
        return ConnectionString.parse(text);
    }

    /** May complete on any thread; {@link #error} says why it failed. */
    static CompletionStage<Gate.Admission> ask(Gate gate, ConnectionString login) {
        try {
            return gate.admit(login.parameters(), login.host(), login.password());
        } catch (PgErrorException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    static PgError error(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure;
        if (cause instanceof PgErrorException known) {
            return known.error();
        }
        log.error("an HTTP request cannot be let in", cause);
        return PgError.of(SqlState.INTERNAL_ERROR, "the request failed", "See the server's log.");
    }
}
