// Reads a feed from standard input with ical.js and writes what a calendar program would show, as
// JSON: {"events": [{uid, start, end, status, summary}], "problems": [...]}. Instants are UTC.
// Zones come from the feed's own VTIMEZONEs only.
import { readFileSync } from "node:fs";
import ICAL from "../../vendor/icaljs/ical.mjs";

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(0));
const calendar = new ICAL.Component(ICAL.parse(text));
const problems = [];

ICAL.TimezoneService.reset();
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  ICAL.TimezoneService.register(zone);
}

function instant(component, name) {
  const property = component.getFirstProperty(name);
  if (!property) {
    problems.push(`an event without ${name}`);
    return null;
  }
  const zone = property.getParameter("tzid");
  if (zone && !ICAL.TimezoneService.has(zone)) {
    problems.push(`${name} in ${zone}, a zone the file does not define`);
  }
  const time = property.getFirstValue().convertToZone(ICAL.Timezone.utcTimezone);
  return time.toJSDate().toISOString().replace(".000Z", "Z");
}

const events = calendar.getAllSubcomponents("vevent").map((event) => ({
  uid: event.getFirstPropertyValue("uid"),
  start: instant(event, "dtstart"),
  end: instant(event, "dtend"),
  status: event.getFirstPropertyValue("status"),
  summary: event.getFirstPropertyValue("summary"),
}));
process.stdout.write(JSON.stringify({ events, problems }));
