import { mount } from "svelte";
import App from "./App.svelte";
import "./styles/colours.css";
import "./styles/fonts.css";
import "./styles/page.css";

const target = document.getElementById("console");
if (target === null) throw new Error("the page has no place for the console");
mount(App, { target });
