package dev.coppice.control.api.account;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Account;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** API keys: of the account (they open everything), and, below the organization, also of one project. */
public final class KeyRoutes {
    private static final int NAME_MAX_CHARACTERS = 64;
    private static final String OF_ORGANIZATION = "/organizations/{organization}/api_keys";

    private final Catalog catalog;
    private final Tokens tokens;
    private final Clock clock;

    public KeyRoutes(Catalog catalog, Tokens tokens, Clock clock) {
        this.catalog = catalog;
        this.tokens = tokens;
        this.clock = clock;
    }

    record NewKey(
            @Nullable String keyName,
            @Nullable String projectId,
            @Nullable String scope) {}

    record Creator(String id, String name, String image) {}

    record Key(
            long id,
            String name,
            @Nullable String projectId,
            String scope,
            Instant createdAt,
            Creator createdBy,
            @Nullable Instant lastUsedAt,
            String lastUsedFromAddr) {}

    record CreatedKey(
            long id,
            String key,
            String name,
            @Nullable String projectId,
            String scope,
            Instant createdAt,
            String createdBy) {}

    record RevokedKey(
            long id,
            String name,
            @Nullable String projectId,
            Instant createdAt,
            String createdBy,
            @Nullable Instant lastUsedAt,
            String lastUsedFromAddr,
            boolean revoked) {}

    public void register(Routes routes) {
        routes.get("/api_keys", _ -> list());
        routes.post("/api_keys", this::create);
        routes.delete("/api_keys/{name}", this::revoke);
        routes.get(OF_ORGANIZATION, call -> {
            AccountRoutes.requireOrganization(call);
            return list();
        });
        routes.post(OF_ORGANIZATION, call -> {
            AccountRoutes.requireOrganization(call);
            return create(call);
        });
        routes.delete(OF_ORGANIZATION + "/{name}", call -> {
            AccountRoutes.requireOrganization(call);
            return revoke(call);
        });
    }

    private Reply list() {
        List<Key> keys = catalog.apiKeys().stream()
                .map(key -> new Key(
                        key.id(),
                        key.name(),
                        key.projectId(),
                        key.scope().text(),
                        key.createdAt(),
                        new Creator(Account.USER, Account.USER_NAME, ""),
                        key.lastUsedAt(),
                        key.lastUsedFrom()))
                .toList();
        return Reply.ok(keys);
    }

    private Reply create(Call call) throws IOException {
        NewKey asked = call.body(NewKey.class);
        String name = asked.keyName();
        if (name == null || name.isBlank() || name.length() > NAME_MAX_CHARACTERS) {
            throw ControlException.invalid("key_name: must have 1 to " + NAME_MAX_CHARACTERS + " characters");
        }
        String projectId = asked.projectId();
        if (projectId != null && catalog.inventory().project(projectId).isEmpty()) {
            throw ControlException.notFound("project \"" + projectId + "\" not found");
        }
        ApiKey.Scope scope = scope(asked);
        if (scope == ApiKey.Scope.ANONYMIZED && projectId == null) {
            throw ControlException.invalid("project_id: is missing; a key of scope anonymized is a key of one project");
        }
        String secret = tokens.apiKey();
        ApiKey key = catalog.addApiKey(
                name, projectId, scope, Tokens.hash(secret), clock.instant().truncatedTo(ChronoUnit.MICROS));
        return Reply.ok(
                new CreatedKey(key.id(), secret, key.name(), projectId, scope.text(), key.createdAt(), Account.USER));
    }

    private static ApiKey.Scope scope(NewKey asked) {
        try {
            return asked.scope() == null ? ApiKey.Scope.FULL : ApiKey.Scope.of(asked.scope());
        } catch (IllegalArgumentException e) {
            throw new ControlException(ControlException.Kind.INVALID, String.valueOf(e.getMessage()), e);
        }
    }

    private Reply revoke(Call call) {
        ApiKey key = number(call.name())
                .flatMap(catalog::removeApiKey)
                .orElseThrow(() -> ControlException.notFound("API key \"" + call.name() + "\" not found"));
        return Reply.ok(new RevokedKey(
                key.id(),
                key.name(),
                key.projectId(),
                key.createdAt(),
                Account.USER,
                key.lastUsedAt(),
                key.lastUsedFrom(),
                true));
    }

    private static Optional<Long> number(String text) {
        return text.matches("[0-9]{1,18}") ? Optional.of(Long.valueOf(text)) : Optional.empty();
    }
}
