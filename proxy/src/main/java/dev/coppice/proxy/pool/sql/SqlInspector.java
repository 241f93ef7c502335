package dev.coppice.proxy.pool.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds in the text of a request what leaves a trace in its session. It looks at words, not at grammar: where it errs, it
 * pins a client that need not be. What happens inside functions it cannot see; a reported parameter that changes in one is
 * seen by its ParameterStatus.
 */
public final class SqlInspector {
    private enum First {
        /** At the beginning of a statement. */
        NONE,
        CREATE,
        DECLARE,
        DO,
        OTHER
    }

    /** A longer SET is not kept, in bytes. */
    private static final int MAX_SETTING_BYTES = 8 << 10;
    /** They change who runs what, or are no parameters. RESET ALL leaves them alone. */
    private static final Set<String> NOT_REPEATED =
            Set.of("role", "session_authorization", "authorization", "characteristics", "names", "schema", "xml");

    private final SqlTokens tokens;
    private First first = First.NONE;
    private int statements;
    private @Nullable PinReason pin;
    private @Nullable List<String> listens;
    private @Nullable List<String> unlistens;
    private boolean deallocatesAll;
    private @Nullable String deallocates;
    private @Nullable String settingName;
    private boolean resets;
    private boolean localSetting;
    private boolean copies;

    private SqlInspector(SqlTokens tokens) {
        this.tokens = tokens;
    }

    /** @param sql bytes from {@code start} to {@code end}, without the terminating zero */
    public static Inspection inspect(ByteBuf sql, int start, int end) {
        // An array is looked through faster than a buffer, by more than the copy costs.
        return inspect(ByteBufUtil.getBytes(sql, start, end - start), 0, end - start);
    }

    /** @param sql bytes from {@code start} to {@code end}, without the terminating zero */
    public static Inspection inspect(byte[] sql, int start, int end) {
        SqlInspector inspector = new SqlInspector(new SqlTokens(sql, start, end));
        inspector.run();
        return inspector.result(sql, start, end);
    }

    private Inspection result(byte[] sql, int start, int end) {
        Optional<Setting> setting = Optional.empty();
        if (settingName != null) {
            if (statements == 1 && end - start <= MAX_SETTING_BYTES) {
                String text = resets ? "" : new String(sql, start, end - start, UTF_8);
                setting = Optional.of(new Setting(settingName, text));
            } else if (!resets) {
                pin(PinReason.SET);
            }
        }
        if (pin == null
                && setting.isEmpty()
                && listens == null
                && unlistens == null
                && !deallocatesAll
                && !localSetting
                && !copies
                && deallocates == null) {
            return Inspection.NOTHING;
        }
        boolean only = statements == 1;
        return new Inspection(
                Optional.ofNullable(pin),
                setting,
                listens == null ? List.of() : listens,
                unlistens == null ? List.of() : unlistens,
                deallocatesAll,
                only ? Optional.ofNullable(deallocates) : Optional.empty(),
                localSetting,
                copies);
    }

    private void run() {
        SqlTokens.Token token = tokens.next();
        boolean afterWith = false;
        boolean afterInto = false;
        while (token != SqlTokens.Token.END) {
            boolean with = false;
            boolean into = false;
            if (token == SqlTokens.Token.SYMBOL) {
                if (tokens.symbol() == ';' && first != First.DO) {
                    first = First.NONE;
                } else if (first == First.DO && (tokens.symbol() == ';' || tokens.symbol() == '$')) {
                    token = insideBody(tokens.next());
                    continue;
                }
            } else if (token == SqlTokens.Token.WORD) {
                if (first == First.NONE) {
                    statements++;
                    first = First.OTHER;
                    token = begin();
                    continue;
                }
                with = tokens.isKeyword("with");
                into = tokens.isKeyword("into");
                if (tokens.isKeyword("hold") && afterWith && first == First.DECLARE) {
                    pin(PinReason.HOLDABLE_CURSOR);
                } else if (afterInto && isTemporary()) {
                    pin(PinReason.TEMPORARY_OBJECT);
                } else if (first == First.DO && startsBlock()) {
                    token = insideBody(tokens.next());
                    continue;
                } else {
                    token = anywhere();
                    afterWith = with;
                    afterInto = into;
                    continue;
                }
            }
            afterWith = with;
            afterInto = into;
            token = tokens.next();
        }
    }

    /** At the first word of a statement; returns the next token to look at. */
    private SqlTokens.Token begin() {
        if (tokens.isKeyword("set")) {
            return set();
        }
        if (tokens.isKeyword("reset")) {
            return reset();
        }
        if (tokens.isKeyword("create")) {
            return create();
        }
        if (tokens.isKeyword("declare")) {
            first = First.DECLARE;
        } else if (tokens.isKeyword("do")) {
            first = First.DO;
            tokens.lookIntoBodies(true);
        } else if (tokens.isKeyword("load")) {
            pin(PinReason.LOAD);
        } else if (tokens.isKeyword("copy")) {
            copies = true;
        } else if (tokens.isKeyword("prepare")) {
            SqlTokens.Token next = tokens.next();
            if (next != SqlTokens.Token.WORD || !tokens.isKeyword("transaction")) {
                pin(PinReason.PREPARE);
            }
            return next;
        } else if (tokens.isKeyword("discard")) {
            SqlTokens.Token next = tokens.next();
            if (next == SqlTokens.Token.WORD && tokens.isKeyword("all")) {
                deallocatesAll = true;
                unlistens = add(unlistens, "*");
            }
            return next;
        } else if (tokens.isKeyword("deallocate")) {
            return deallocate();
        } else if (tokens.isKeyword("listen")) {
            SqlTokens.Token next = tokens.next();
            if (next == SqlTokens.Token.WORD) {
                listens = add(listens, tokens.identifier());
            }
            return next == SqlTokens.Token.WORD ? tokens.next() : next;
        } else if (tokens.isKeyword("unlisten")) {
            SqlTokens.Token next = tokens.next();
            if (next == SqlTokens.Token.WORD) {
                unlistens = add(unlistens, tokens.identifier());
            } else if (tokens.isSymbol(next, '*')) {
                unlistens = add(unlistens, "*");
            }
            return next == SqlTokens.Token.WORD ? tokens.next() : next;
        }
        return tokens.next();
    }

    /** SET [ SESSION ] name { = | TO } value, SET [ SESSION ] TIME ZONE value; all others pin. */
    private SqlTokens.Token set() {
        SqlTokens.Token next = tokens.next();
        if (next == SqlTokens.Token.WORD
                && (tokens.isKeyword("local") || tokens.isKeyword("transaction") || tokens.isKeyword("constraints"))) {
            return tokens.isKeyword("local") ? setLocal() : tokens.next();
        }
        if (next == SqlTokens.Token.WORD && tokens.isKeyword("session")) {
            next = tokens.next();
        }
        String name = next == SqlTokens.Token.WORD && first != First.DO ? tokens.identifier() : "";
        if (name.isEmpty() || NOT_REPEATED.contains(name)) {
            pin(PinReason.SET);
            return next;
        }
        next = tokens.next();
        if (name.equals("time") && next == SqlTokens.Token.WORD && tokens.isKeyword("zone")) {
            settingName = "timezone";
            return tokens.next();
        }
        StringBuilder whole = new StringBuilder(name);
        while (tokens.isSymbol(next, '.')) {
            next = tokens.next();
            whole.append('.').append(next == SqlTokens.Token.WORD ? tokens.identifier() : "");
            next = tokens.next();
        }
        if (tokens.isSymbol(next, '=') || (next == SqlTokens.Token.WORD && tokens.isKeyword("to"))) {
            settingName = whole.toString().toLowerCase(Locale.ROOT);
        } else {
            pin(PinReason.SET);
        }
        return next == SqlTokens.Token.END ? next : tokens.next();
    }

    private SqlTokens.Token setLocal() {
        SqlTokens.Token next = tokens.next();
        String name = next == SqlTokens.Token.WORD ? tokens.identifier().toLowerCase(Locale.ROOT) : "";
        if (next == SqlTokens.Token.WORD) {
            next = tokens.next();
        }
        localSetting |= !tokens.isSymbol(next, '.') && SessionSettings.isForParsing(name);
        return next;
    }

    private SqlTokens.Token reset() {
        SqlTokens.Token next = tokens.next();
        StringBuilder whole = new StringBuilder();
        while (next == SqlTokens.Token.WORD || tokens.isSymbol(next, '.')) {
            whole.append(next == SqlTokens.Token.WORD ? tokens.identifier() : ".");
            next = tokens.next();
        }
        resets = true;
        settingName =
                whole.toString().equals("all") ? Setting.ALL : whole.toString().toLowerCase(Locale.ROOT);
        return next;
    }

    private SqlTokens.Token create() {
        first = First.CREATE;
        SqlTokens.Token next = tokens.next();
        while (next == SqlTokens.Token.WORD
                && (tokens.isKeyword("or")
                        || tokens.isKeyword("replace")
                        || tokens.isKeyword("local")
                        || tokens.isKeyword("global"))) {
            next = tokens.next();
        }
        if (next == SqlTokens.Token.WORD && isTemporary()) {
            pin(PinReason.TEMPORARY_OBJECT);
        }
        return next;
    }

    private SqlTokens.Token deallocate() {
        SqlTokens.Token next = tokens.next();
        if (next == SqlTokens.Token.WORD && tokens.isKeyword("prepare")) {
            next = tokens.next();
        }
        if (next == SqlTokens.Token.WORD) {
            if (tokens.isKeyword("all")) {
                deallocatesAll = true;
            } else {
                deallocates = tokens.identifier();
            }
            return tokens.next();
        }
        return next;
    }

    /** At the beginning of a statement of a DO body. */
    private SqlTokens.Token insideBody(SqlTokens.Token token) {
        if (token == SqlTokens.Token.WORD && tokens.isKeyword("set")) {
            return set();
        }
        return token == SqlTokens.Token.WORD && tokens.isKeyword("create") ? createInBody() : token;
    }

    private SqlTokens.Token createInBody() {
        SqlTokens.Token next = create();
        first = First.DO;
        return next;
    }

    private boolean startsBlock() {
        return tokens.isKeyword("begin")
                || tokens.isKeyword("then")
                || tokens.isKeyword("else")
                || tokens.isKeyword("loop");
    }

    /** At a word that is not the first; returns the next token to look at. */
    private SqlTokens.Token anywhere() {
        switch (tokens.wordLength()) {
            case 7 -> {
                if (tokens.isWord("pg_temp")) {
                    pin(PinReason.TEMPORARY_OBJECT);
                }
            }
            case 10 -> {
                if (tokens.isWord("set_config")) {
                    return setConfig();
                }
            }
            case 16, 20, 23, 27 -> {
                if (tokens.isWord("pg_advisory_lock")
                        || tokens.isWord("pg_try_advisory_lock")
                        || tokens.isWord("pg_advisory_lock_shared")
                        || tokens.isWord("pg_try_advisory_lock_shared")) {
                    pin(PinReason.ADVISORY_LOCK);
                }
            }
            default -> {}
        }
        return tokens.next();
    }

    /** set_config(name, value, is_local): harmless only if the last argument is the word true. */
    private SqlTokens.Token setConfig() {
        SqlTokens.Token next = tokens.next();
        if (!tokens.isSymbol(next, '(')) {
            return next;
        }
        int depth = 1;
        boolean local = false;
        boolean dotted = false;
        boolean first = true;
        while (depth > 0) {
            next = tokens.next();
            if (next == SqlTokens.Token.END) {
                break;
            }
            dotted |= first && next == SqlTokens.Token.STRING && tokens.stringHas('.');
            first = false;
            if (tokens.isSymbol(next, '(')) {
                depth++;
            } else if (tokens.isSymbol(next, ')')) {
                depth--;
            } else {
                local = next == SqlTokens.Token.WORD && tokens.isKeyword("true");
            }
        }
        if (!local) {
            pin(PinReason.SET);
        }
        localSetting |= local && !dotted;
        return next == SqlTokens.Token.END ? next : tokens.next();
    }

    private boolean isTemporary() {
        return tokens.isKeyword("temp") || tokens.isKeyword("temporary");
    }

    private void pin(PinReason reason) {
        if (pin == null) {
            pin = reason;
        }
    }

    private static List<String> add(@Nullable List<String> to, String name) {
        List<String> list = to == null ? new ArrayList<>() : to;
        list.add(name);
        return list;
    }
}
