package dev.coppice.masking.suggest;

import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.DataType.Array;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Scalar;
import dev.coppice.masking.layout.ScalarType.Family;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Kinds of personal data: what columns of them are called (in snake case), of which types they are, how a value looks, and what
 * masks them. The order matters: the first of equally sure guesses wins.
 */
@SuppressWarnings("ImmutableEnumChecker") // the sets are unmodifiable, the predicates static methods
public enum Category {
    EMAIL(
            "e-mail address",
            "(.*_)?(e_?mails?(_addr(ess)?)?|mail_addr(ess)?)|mail",
            texts(),
            Values::isEmail,
            "pseudonym_email()",
            "dummy_email()"),
    IBAN("IBAN", "iban|bank_account(_number)?|account_iban", texts(), Values::isIban, "dummy_iban()", "dummy_iban()"),
    CREDIT_CARD(
            "card number",
            "(credit_?|debit_?)?card_?(number|no|num)|credit_?card|cc_?(number|no|num)|pan",
            textsAnd(Family.INTEGER, Family.NUMERIC),
            Values::isCardNumber,
            "dummy_credit_card_number()",
            "dummy_credit_card_number()"),
    SOCIAL_SECURITY(
            "identity number",
            "ssn|sin|nino|social_security(_number|_no)?|national_(id|identity|insurance)(_number|_no)?|tax_?(id|number|no)"
                    + "|passport(_number|_no|_id)?|driv(er|ing)s?_licen[cs]e(_number|_no)?|personal_(id|number)|identity_(card|number)",
            textsAnd(Family.INTEGER, Family.NUMERIC),
            Values::isSocialSecurityNumber,
            "pseudonym()",
            "pseudonym()"),
    IP_ADDRESS(
            "IP address",
            "ip|ip_?addr(ess)?|ipv[46]|remote_addr(ess)?|(client|source|remote|login|last|user|peer)_ip|.*_ip(_address)?",
            textsAnd(Family.NETWORK),
            Values::isIpAddress,
            "pseudonym()",
            "dummy_ipv4()"),
    MAC_ADDRESS(
            "MAC address",
            "mac|mac_?addr(ess)?",
            textsAnd(Family.MAC_ADDRESS),
            Values::isMacAddress,
            "pseudonym()",
            "dummy_mac_address()"),
    SECRET(
            "password, key or token",
            "pass(word|wd|phrase)(_(hash|digest|salt))?|pwd(_hash)?|hashed_password|encrypted_password|secret(_key)?|client_secret"
                    + "|(.*_)?tokens?|(.*_)?api_?keys?|access_key|private_key|otp(_secret)?|totp.*|recovery_codes?|session_(id|key)"
                    + "|(password_)?salt",
            textsAnd(Family.BINARY, Family.UUID),
            Values::isSecret,
            "pseudonym()",
            "random_string()"),
    PHONE(
            "phone number",
            "(.*_)?(phone|telephone|mobile|cell|fax|msisdn)(_?(number|no|num)|s)?|tel|handy",
            textsAnd(Family.INTEGER, Family.NUMERIC),
            Values::isPhoneNumber,
            "dummy_phone_number()",
            "dummy_phone_number()"),
    BIRTH_DATE(
            "date of birth",
            "(.*_)?(birth_?(date|day)?|date_of_birth|dob|born(_on|_at)?|geburtsdatum)",
            Set.of(Family.DATE, Family.TIMESTAMP),
            null,
            "noise('180 days')",
            "noise('180 days')"),
    FIRST_NAME(
            "first name",
            "(.*_)?(first|given|fore|middle)_?names?|fname|vorname|prenom",
            texts(),
            Values::isFirstName,
            "pseudonym()",
            "dummy_first_name()"),
    LAST_NAME(
            "last name",
            "(.*_)?(last|family|sur|maiden)_?names?|lname|nachname",
            texts(),
            Values::isLastName,
            "pseudonym()",
            "dummy_last_name()"),
    USER_NAME(
            "user name",
            "user_?name|login(_name)?|nick(_?name)?|screen_?name|handle",
            texts(),
            null,
            "pseudonym()",
            "dummy_user_name()"),
    NAME(
            "name of a person",
            "(full|real|display|legal|contact|person|patient|employee|customer|client|recipient|holder|card_?holder|owner|author|member"
                    + "|guest|student|sender|receiver|beneficiary|account_?holder)_?names?|card_?holder",
            texts(),
            Values::isFullName,
            "pseudonym()",
            "dummy_name()"),
    STREET_ADDRESS(
            "street address",
            "(.*_)?(street|(street_|postal_|home_|mailing_|shipping_|billing_|delivery_)?addr(ess)?)(_?(line)?_?[1-3])?(_?(name|no|number))?"
                    + "|strasse",
            texts(),
            null,
            "pseudonym()",
            "dummy_street_address()"),
    POSTAL_CODE(
            "postal code",
            "(.*_)?(zip(_?code)?|post(al)?_?code|plz)",
            textsAnd(Family.INTEGER),
            null,
            "pseudonym()",
            "dummy_zip_code()"),
    CITY("city", "(.*_)?(city|town|village|municipality)(_?name)?|ort", texts(), null, "pseudonym()", "dummy_city()"),
    COORDINATE(
            "position",
            "(.*_)?(lat(itude)?|lon(gitude)?|lng)",
            Set.of(Family.FLOAT, Family.NUMERIC, Family.POINT),
            null,
            "pseudonym()",
            "noise(0.02)"),
    INCOME(
            "income",
            "(.*_)?(salary|income|wage|compensation|net_worth)",
            Set.of(Family.INTEGER, Family.NUMERIC, Family.FLOAT),
            null,
            "pseudonym()",
            "noise(0.2)"),
    SENSITIVE(
            "special category",
            "gender|sex|religion|ethnicity|race|nationality|marital_status|political.*|diagnos[ei]s|blood_type|disability|sexual_.*",
            texts(),
            null,
            "pseudonym()",
            "blank()"),
    FREE_TEXT(
            "free text",
            "(.*_)?(notes?|comments?|remarks?|bio|biography|feedback|message|memo|cv|resume|about_me|free_?text)",
            texts(),
            Values::mentionsSomebody,
            "pseudonym()",
            "dummy_words()");

    private final String title;
    private final Pattern names;
    private final Set<Family> families;
    private final @Nullable Predicate<String> values;
    private final String distinct;
    private final String plain;

    Category(
            String title,
            String names,
            Set<Family> families,
            @Nullable Predicate<String> values,
            String distinct,
            String plain) {
        this.title = title;
        this.names = Pattern.compile(names);
        this.families = families;
        this.values = values;
        this.distinct = distinct;
        this.plain = plain;
    }

    private static Set<Family> texts() {
        return Set.of(Family.TEXT);
    }

    private static Set<Family> textsAnd(Family... others) {
        Set<Family> families = EnumSet.of(Family.TEXT, others);
        return Set.copyOf(families);
    }

    /** For people. */
    public String title() {
        return title;
    }

    boolean isNamed(String snakeCase) {
        return names.matcher(snakeCase).matches();
    }

    boolean canBe(DataType type) {
        return switch (type) {
            case Scalar(var scalar) -> families.contains(scalar.family());
            case Array array -> canBe(array.element());
            case Enumeration ignored -> this == SENSITIVE;
            case DataType.Range ignored -> false;
            case DataType.Unsupported ignored -> false;
        };
    }

    /** Whether values of this kind can be told from others. */
    boolean hasLooks() {
        return values != null;
    }

    boolean looksLike(String value) {
        return values != null && values.test(value);
    }

    /** Whether a look alone says so: no other kind of data looks like it. */
    boolean isUnmistakable() {
        return switch (this) {
            case EMAIL, IBAN, CREDIT_CARD, SOCIAL_SECURITY, IP_ADDRESS, MAC_ADDRESS, SECRET -> true;
            default -> false;
        };
    }

    /** What masks it, the best first. */
    List<String> functions(boolean keepDistinct) {
        if (keepDistinct) {
            return List.of(distinct, "pseudonym()");
        }
        return this == BIRTH_DATE || this == SENSITIVE
                ? List.of(plain, "blank()", "null()")
                : List.of(plain, "pseudonym()", "blank()", "null()");
    }
}
