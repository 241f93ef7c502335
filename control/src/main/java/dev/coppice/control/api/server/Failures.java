package dev.coppice.control.api.server;

import dev.coppice.control.error.ControlException;
import dev.coppice.storage.fault.BoundaryException;
import io.avaje.jex.http.Context;
import io.avaje.jex.http.HttpResponseException;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an exception becomes: a status and Neon's error object. */
public final class Failures {
    private static final Logger log = LoggerFactory.getLogger(Failures.class);

    private Failures() {}

    /** The answer to a request that failed; what is our fault is logged. */
    public static Reply reply(Context context, Exception failure, String requestId) {
        return switch (failure) {
            case ControlException refused -> refused(context, refused, requestId);
            case HttpResponseException refused -> noRoute(context, refused, requestId);
            case BoundaryException locked ->
                refused(
                        context,
                        new ControlException(
                                ControlException.Kind.LOCKED,
                                Objects.requireNonNullElse(locked.getMessage(), "locked"),
                                locked),
                        requestId);
            case ClientGoneException gone -> {
                log.debug(
                        "{} {}, request {}: {}", context.method(), context.path(), requestId, gone.getMessage(), gone);
                yield reply(400, "BAD_REQUEST", "the request's body ended too early", requestId);
            }
            default -> {
                log.error("{} {} failed, request {}", context.method(), context.path(), requestId, failure);
                yield reply(
                        500,
                        ControlException.Kind.INTERNAL.name(),
                        "an error of the server; its log has the details under request " + requestId,
                        requestId);
            }
        };
    }

    private static Reply refused(Context context, ControlException e, String requestId) {
        int status = status(e.kind());
        if (e.kind() == ControlException.Kind.INTERNAL) {
            log.error("{} {} failed, request {}", context.method(), context.path(), requestId, e);
        } else {
            // What was refused has its reason; where in the code it was refused helps nobody.
            log.debug(
                    "{} {} answered {}, request {}: {}",
                    context.method(),
                    context.path(),
                    status,
                    requestId,
                    e.getMessage());
        }
        return reply(status, e.kind().name(), Objects.requireNonNullElse(e.getMessage(), "refused"), requestId);
    }

    private static int status(ControlException.Kind kind) {
        return switch (kind) {
            case INVALID -> 400;
            case FORBIDDEN -> 403;
            case NOT_FOUND -> 404;
            case CONFLICT -> 409;
            case PRECONDITION -> 412;
            case TOO_LARGE -> 413;
            case UNPROCESSABLE -> 422;
            case LOCKED -> 423;
            case TOO_MANY -> 429;
            case UNAVAILABLE, UNCERTAIN -> 503;
            case INTERNAL -> 500;
            case NOT_HERE -> 501;
        };
    }

    /** What the HTTP library refuses itself, an unknown path above all, and a missing key. */
    private static Reply noRoute(Context context, HttpResponseException e, String requestId) {
        int status = e.status();
        String message = status == 404
                ? context.method() + " " + context.path() + " is not a route of this API"
                : Objects.requireNonNullElse(e.getMessage(), "refused");
        String code = switch (status) {
            case 401 -> "UNAUTHORIZED";
            case 404 -> "NOT_FOUND";
            case 405 -> "METHOD_NOT_ALLOWED";
            case 429 -> "TOO_MANY";
            default -> "REFUSED";
        };
        return reply(status, code, message, requestId);
    }

    private static Reply reply(int status, String code, String message, String requestId) {
        return new Reply(status, new Failure(code, message, requestId));
    }
}
