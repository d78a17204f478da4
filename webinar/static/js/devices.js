// Camera, screen, slides and microphone: what the studio shows and hears, and how loud.

import { drawsWhenHidden, Mixer } from "./studio_mixer.js";

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25 } };
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true };
const HEARD = 0.02;
// The meter shows decibels, as ears do: from -60 dB (0) to full (1).
const QUIETEST_DECIBEL = -60;

const TROUBLES = {
  camera: {
    NotAllowedError: "The browser may not use your camera. Allow it beside the address, then reload this page.",
    NotFoundError: "No camera was found. Plug one in, share your screen, or go live with sound only.",
    NotReadableError: "Another program uses the camera. Close it, then choose the camera below.",
    OverconstrainedError: "That camera is gone. Choose another one below.",
  },
  microphone: {
    NotAllowedError: "The browser may not use your microphone, so nobody can hear you. Allow it beside the address, then reload this page.",
    NotFoundError: "No microphone was found, so nobody can hear you. Plug one in: it is used as soon as it is there.",
    NotReadableError: "Another program uses the microphone. Close it, then choose the microphone below.",
    OverconstrainedError: "That microphone is gone. Choose another one below.",
  },
};

export class Devices {
  picture = null; // MediaStream that is filmed; null: sound only
  sound = null; // MediaStream of the microphone
  source = "camera"; // or screen, slides, none
  hasInset = false; // the camera in the corner of screen or slides
  isOff = false; // muted by the person: the track gives silence
  isHeld = false; // a break: neither picture nor sound leaves this room
  troubles = { camera: "", microphone: "" };
  heardAt = null;
  meter = null;
  isAsking = true; // until the browser has said yes or no
  camera = null;
  screen = null;
  slide = null; // a function that gives a fresh ImageBitmap of the slide that is shown
  mixer = null;

  // `onChange` hears of every new picture or sound, and of troubles.
  constructor({ camera, microphone, onChange }) {
    Object.assign(this, { cameras: camera, microphones: microphone, onChange });
    camera.addEventListener("change", () => this.showsCamera && this.useCamera());
    microphone.addEventListener("change", () => this.useMicrophone());
    navigator.mediaDevices.addEventListener("devicechange", () => this.lookAgain());
    // A browser may keep the meter asleep until the first press on the page.
    document.addEventListener("pointerdown", () => this.meter?.context.resume());
  }

  get canShareScreen() {
    return Boolean(navigator.mediaDevices.getDisplayMedia);
  }

  get showsCamera() {
    return this.source === "camera" || (this.source !== "none" && this.hasInset);
  }

  // True if what people see stands still while this tab is hidden.
  get mustStayVisible() {
    return this.mixer !== null && !drawsWhenHidden();
  }

  // One question for both; if that is refused, each by itself, to know which is missing.
  async begin() {
    try {
      const both = await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: MICROPHONE });
      this.setSound(new MediaStream(both.getAudioTracks()));
      this.setCamera(new MediaStream(both.getVideoTracks()));
    } catch {
      await this.useCamera();
      await this.useMicrophone();
    }
    this.isAsking = false;
    await this.list();
  }

  // The camera alone, or anew in the corner where it is shown.
  async useCamera({ alone = this.source === "camera" || this.source === "none" } = {}) {
    try {
      const video = { ...CAMERA, ...chosen(this.cameras) };
      const stream = await navigator.mediaDevices.getUserMedia({ video });
      if (alone) this.source = "camera";
      this.setCamera(stream);
    } catch (error) {
      this.complain("camera", error);
    }
  }

  // Closing the browser's choice of windows is no trouble: what was shown stays.
  async useScreen() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false });
    } catch {
      return;
    }
    release(this.screen);
    this.screen = stream;
    this.source = "screen";
    // The sharing was ended with the browser's own button.
    stream.getVideoTracks()[0].addEventListener("ended", () => this.onScreenEnded(stream));
    this.compose();
  }

  // `slide` gives the picture that is shown now; call `turnSlide` when it changes.
  useSlides(slide) {
    this.slide = slide;
    this.source = "slides";
    this.compose();
  }

  useNoPicture() {
    this.source = "none";
    this.compose();
  }

  async turnSlide() {
    const mixer = this.mixer;
    if (this.source !== "slides" || mixer === null) return;
    const image = await this.slide();
    if (this.mixer === mixer) mixer.show(image);
    else image.close();
  }

  async setInset(isOn) {
    this.hasInset = isOn;
    if (isOn && this.camera === null && this.source !== "camera") await this.useCamera({ alone: false });
    else this.compose();
    if (this.camera === null) this.hasInset = false;
  }

  async useMicrophone() {
    try {
      const audio = { ...MICROPHONE, ...chosen(this.microphones) };
      this.setSound(await navigator.mediaDevices.getUserMedia({ audio }));
    } catch (error) {
      this.complain("microphone", error);
    }
  }

  setCamera(stream) {
    release(this.camera);
    this.camera = stream;
    this.troubles.camera = "";
    stream.getVideoTracks()[0].addEventListener("ended", () => this.onCameraEnded(stream));
    this.compose();
  }

  // What is filmed: one track as it is where that is enough, mixed only where it must be.
  compose() {
    this.mixer?.stop();
    this.mixer = null;
    if (!this.showsCamera) this.camera = released(this.camera);
    if (this.source !== "screen") this.screen = released(this.screen);
    const inset = this.source !== "camera" && this.hasInset ? track(this.camera) : null;
    if (this.source === "slides" || (this.source === "screen" && inset)) {
      this.mixer = new Mixer({ base: track(this.screen), inset });
      this.picture = this.mixer.stream;
      this.turnSlide();
    } else {
      this.picture = { camera: this.camera, screen: this.screen, none: null }[this.source];
    }
    this.applyHold();
    this.onChange();
  }

  setMuted(isOff) {
    this.isOff = isOff;
    this.applyHold();
    this.onChange();
  }

  // Nothing of picture and sound leaves this room while it is held; the take goes on, dark.
  setHeld(isHeld) {
    if (this.isHeld === isHeld) return;
    this.isHeld = isHeld;
    this.applyHold();
    this.onChange();
  }

  applyHold() {
    for (const each of this.sound?.getTracks() ?? []) each.enabled = !this.isOff && !this.isHeld;
    for (const each of this.picture?.getTracks() ?? []) each.enabled = !this.isHeld;
  }

  async onScreenEnded(stream) {
    if (this.screen !== stream) return;
    this.source = "camera";
    await this.list();
    await this.useCamera({ alone: true });
    if (this.camera === null) this.compose();
  }

  async onCameraEnded(stream) {
    if (this.camera !== stream) return;
    this.camera = null;
    await this.list();
    await this.useCamera();
    if (this.camera === null) this.compose();
  }

  setSound(stream) {
    release(this.sound);
    this.sound = stream;
    this.troubles.microphone = "";
    this.listen(stream);
    this.applyHold();
    stream.getAudioTracks()[0].addEventListener("ended", async () => {
      if (this.sound !== stream) return;
      await this.list();
      await this.useMicrophone();
    });
    this.onChange();
  }

  complain(what, error) {
    this.troubles[what] = TROUBLES[what][error.name] ?? `The ${what} does not work: ${error.message}`;
    this.onChange();
  }

  async lookAgain() {
    await this.list();
    if (this.camera === null && this.showsCamera && this.cameras.options.length > 0) await this.useCamera();
    if (this.sound === null && this.microphones.options.length > 0) await this.useMicrophone();
  }

  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    fill(this.cameras, devices, "videoinput", "Camera", this.camera);
    fill(this.microphones, devices, "audioinput", "Microphone", this.sound);
  }

  // A level that moves says more than "microphone on".
  listen(stream) {
    this.meter?.context.close();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    this.meter = { context, analyser, samples: new Float32Array(analyser.fftSize) };
  }

  // How loud it is right now, from 0 to 1.
  level() {
    if (this.meter === null) return 0;
    this.meter.analyser.getFloatTimeDomainData(this.meter.samples);
    const loudest = this.meter.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    if (loudest > HEARD) this.heardAt = performance.now();
    return Math.max(0, 1 - (20 * Math.log10(loudest || 1e-9)) / QUIETEST_DECIBEL);
  }

  // The system's own switch, a key or a button at the headset.
  get isMuted() {
    return this.sound?.getAudioTracks()[0]?.muted ?? false;
  }

  release() {
    this.mixer?.stop();
    for (const stream of [this.camera, this.screen, this.sound]) release(stream);
  }
}

const track = (stream) => stream?.getVideoTracks()[0] ?? null;

function released(stream) {
  release(stream);
  return null;
}

function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function chosen(select) {
  return select.value ? { deviceId: { exact: select.value } } : {};
}

// Names are known only after the browser was allowed to use the device.
function fill(select, devices, kind, word, stream) {
  const found = devices.filter((device) => device.kind === kind && device.deviceId !== "");
  const inUse = stream?.getTracks()[0]?.getSettings().deviceId ?? select.value;
  select.replaceChildren(
    ...found.map((device, index) => new Option(device.label || `${word} ${index + 1}`, device.deviceId)),
  );
  if (found.some((device) => device.deviceId === inUse)) select.value = inUse;
  select.disabled = found.length === 0;
  if (found.length === 0) select.add(new Option("none found", ""));
}
